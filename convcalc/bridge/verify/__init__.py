"""Our rules against torch, on a device."""
