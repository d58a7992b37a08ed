"""Measures what ModelFs promises about speed, beside what it is compared with. Started by scripts/bench."""
