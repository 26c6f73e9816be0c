"""`python -m benchmarks`: every benchmark, one after the other."""

from benchmarks import attestation, cleaning, start_up, statistics

if __name__ == "__main__":
    start_up.main()
    cleaning.main()
    statistics.main()
    attestation.main()
