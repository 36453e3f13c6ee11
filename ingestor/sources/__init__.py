"""Where records come from. Each source speaks the `Source` protocol and knows no other."""
