"""The record that outlives a run: plan, core, decision, and the document that carries them."""
