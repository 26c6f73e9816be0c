"""What this project costs, measured as ratios within one run; `make bench` prints it."""
