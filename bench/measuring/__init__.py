"""What bench/measure.py runs."""
