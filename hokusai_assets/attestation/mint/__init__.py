"""The EIP-712 request by which a contract mints: built from core and decision, signed, checked.

Everything that the contract would accept although it is wrong is refused here first. Whether a
decision stands in a ledger is the ledger's to say; it is asked through a protocol.
"""
