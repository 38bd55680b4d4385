"""What runs inside the sandbox, beside a student's code: the standard library and NumPy alone.

The folder is all of nhlib that a sandbox shows. What guards the grader stands outside of it; here
is only what has to act in the process itself, before the first line of a student runs.
"""
