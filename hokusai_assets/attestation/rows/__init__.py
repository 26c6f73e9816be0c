"""The rows behind a core: leaves, their tree, and what is counted again from them."""
