"""The program inside every container: a supervisor (PID 1) and the worker that it starts.

The supervisor uses the standard library only, and as little of it as will do: what it imports stands under the
cell's memory cap. Nothing here prints to standard output but the supervisor's records.
"""
