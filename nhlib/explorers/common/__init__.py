"""What explorers share: the widget, its pictures, and training from within it."""
