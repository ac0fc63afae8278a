"""The project file: pairs, labels and rounds, in one ACID file."""
