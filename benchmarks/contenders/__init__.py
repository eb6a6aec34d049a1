"""One way each to fetch the four lists: a module with `fetch(task)`, run in a process and an environment of its own."""
