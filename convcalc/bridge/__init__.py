"""The rooms that import torch, and the only ones."""
