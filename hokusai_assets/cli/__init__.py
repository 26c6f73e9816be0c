"""The command `hokusai`: one file a subcommand."""
