"""Who vouches for a bundle: keys, statements, signatures, and the policy that counts them.

Works on bytes, and on the folder that a bundle's public part is; what the bundle's own files hold
and how they are written is not told here. Imports cryptography and securesystemslib, nothing
heavier, since a verifier runs it.
"""
