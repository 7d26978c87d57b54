"""CompCars: cars from the web and from surveillance cameras, by make, model and year."""

from likewise.sources.compcars.compcars_source import CompCarsSource

__all__ = ["CompCarsSource"]
