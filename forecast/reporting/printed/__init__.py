"""The report on paper and as pictures: a brief of two pages and charts, drawn by matplotlib without a browser."""
