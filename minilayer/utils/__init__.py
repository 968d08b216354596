"""The ground that everything stands on: argument checks, files, CPUs, and two type aliases."""
