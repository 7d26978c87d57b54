"""Pages of the items of a table: filters, counts of values, orders."""
