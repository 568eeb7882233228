"""Charts of tidy frames in one look: Plotly figures, and the same drawn by matplotlib."""
