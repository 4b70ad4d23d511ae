"""An invoice on A4, as people know it, with its proof inside; and reading such a file again."""
