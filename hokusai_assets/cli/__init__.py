from hokusai_assets.cli.app import main

__all__ = ["main"]
