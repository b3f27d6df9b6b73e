"""What convcalc says of a network, against the network itself as it runs on a device."""
