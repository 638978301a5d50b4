"""Images to try things on: two photos, small digits, and MNIST.

`load_photo` and `load_digits` read real data that comes with scikit-learn, without a
network. `mnist` is a module of its own, as in Keras: ``mnist.load_data()``.
"""

from convlab.datasets import mnist
from convlab.datasets.samples import load_digits, load_photo

__all__ = ["load_digits", "load_photo", "mnist"]
