"""Tables of values: workbooks (Office Open XML) and files of delimited text."""
