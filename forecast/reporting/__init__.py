"""What people read: charts, maps, tables, the HTML report."""
