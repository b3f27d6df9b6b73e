"""Results -> text, tables, JSON and figures; nothing here works anything out."""
