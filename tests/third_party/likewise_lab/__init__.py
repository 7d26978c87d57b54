"""A source and a protocol that a laboratory keeps in a package of its own."""
