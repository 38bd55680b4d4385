"""The CodeExplorer: codes of digits, and which digits share them."""
