"""Counting, timing, and writing down what was found."""
