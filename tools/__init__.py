"""Scripts of the developers: what makes checked-in files. Nothing here is part of the package."""
