"""balalar: the national report on the situation of children in Kazakhstan, reproducible."""
