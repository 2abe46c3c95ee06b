"""Every pipeline there is. A new one is a module, and a line here."""

from movie_pipelines.movies import movies
from movie_pipelines.sample import sample

PIPELINES = (movies, sample)
