"""`python -m benchmarks`: every benchmark, one after the other."""

from benchmarks import attestation, cleaning, ledger, start_up, statistics

if __name__ == "__main__":
    start_up.main()
    cleaning.main()
    ledger.main()
    statistics.main()
    attestation.main()
