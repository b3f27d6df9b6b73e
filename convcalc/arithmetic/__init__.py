"""The formulas of convolution arithmetic, one axis each: forwards, backwards, transposed, dilated."""
