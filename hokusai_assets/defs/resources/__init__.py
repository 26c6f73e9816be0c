"""What a run is configured with: inputs, outputs, tracking, ledger."""
