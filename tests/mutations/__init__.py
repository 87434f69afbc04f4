"""Frames as stations never should send them, at a desk that has to survive every one of them."""
