/* Every parameter of every view: its kind, its limits and what it begins with.
   What stands after the equals sign is JSON: the directive reads it too. */
window.convlabExplorer = window.convlabExplorer || {};
window.convlabExplorer.parameters = {
  "sweep": {
    "height": {"kind": "whole", "least": 1, "most": 12, "value": 6, "label": "height"},
    "width": {"kind": "whole", "least": 1, "most": 12, "value": 6, "label": "width"},
    "channels": {"kind": "whole", "least": 1, "most": 4, "value": 1, "label": "channels"},
    "filters": {"kind": "whole", "least": 1, "most": 4, "value": 1, "label": "filters"},
    "kernel_size": {"kind": "pair", "least": 1, "most": 7, "value": [3, 3], "label": "kernel_size"},
    "strides": {"kind": "pair", "least": 1, "most": 6, "value": [1, 1], "label": "strides"},
    "padding": {"kind": "choice", "options": ["valid", "same"], "value": "valid", "label": "padding"},
    "dilation_rate": {"kind": "pair", "least": 1, "most": 4, "value": [1, 1], "label": "dilation_rate"},
    "groups": {"kind": "whole", "least": 1, "most": 4, "value": 1, "label": "groups"},
    "use_bias": {"kind": "flag", "value": false, "label": "use_bias"},
    "data_format": {"kind": "choice", "options": ["channels_last", "channels_first"], "value": "channels_last", "label": "data_format"},
    "x_fill": {"kind": "choice", "options": ["scattered", "ones", "one pixel", "edge", "in order"], "value": "scattered", "label": "input"},
    "kernel_fill": {"kind": "choice", "options": ["scattered", "ones", "centre", "difference"], "value": "scattered", "label": "kernel"},
    "x": {"kind": "numbers", "value": null, "label": "numbers of the input"},
    "kernel": {"kind": "numbers", "value": null, "label": "numbers of the kernel"},
    "bias": {"kind": "numbers", "value": null, "label": "numbers of the bias"},
    "cell": {"kind": "pair", "least": 0, "most": 11, "value": [0, 0], "label": "cell of the output"},
    "filter": {"kind": "whole", "least": 0, "most": 3, "value": 0, "label": "filter"}
  },
  "wiring": {
    "channels": {"kind": "whole", "least": 1, "most": 12, "value": 4, "label": "channels"},
    "filters": {"kind": "whole", "least": 1, "most": 12, "value": 4, "label": "filters"},
    "groups": {"kind": "whole", "least": 1, "most": 12, "value": 1, "label": "groups"},
    "mix": {"kind": "flag", "value": false, "label": "then 1 × 1"},
    "mixed": {"kind": "whole", "least": 1, "most": 12, "value": 4, "label": "its filters"},
    "height": {"kind": "whole", "least": 1, "most": 512, "value": 28, "label": "height"},
    "width": {"kind": "whole", "least": 1, "most": 512, "value": 28, "label": "width"},
    "kernel_size": {"kind": "pair", "least": 1, "most": 11, "value": [3, 3], "label": "kernel_size"},
    "strides": {"kind": "pair", "least": 1, "most": 6, "value": [1, 1], "label": "strides"},
    "padding": {"kind": "choice", "options": ["valid", "same"], "value": "same", "label": "padding"},
    "use_bias": {"kind": "flag", "value": true, "label": "use_bias"}
  },
  "field": {
    "layers": {"kind": "layers", "value": [
      {"kind": "conv", "taps": 3, "stride": 1, "rate": 1},
      {"kind": "conv", "taps": 3, "stride": 1, "rate": 1},
      {"kind": "conv", "taps": 3, "stride": 1, "rate": 1}], "label": "layers"},
    "size": {"kind": "whole", "least": 1, "most": 40, "value": 17, "label": "image"},
    "padding": {"kind": "choice", "options": ["valid", "same"], "value": "valid", "label": "padding"},
    "cell": {"kind": "whole", "least": 0, "most": 39, "value": 5, "label": "cell"},
    "back": {"kind": "whole", "least": 0, "most": 6, "value": 6, "label": "layers back"}
  },
  "photo": {
    "photo": {"kind": "choice", "options": ["china", "flower", "own"], "value": "china", "label": "photo"},
    "show": {"kind": "choice", "options": ["compare", "side by side"], "value": "compare", "label": "show"},
    "kernels": {"kind": "words", "options": ["identity", "box", "gaussian_blur", "sharpen", "emboss", "edge_detection", "laplacian", "sobel_x", "sobel_y", "own"], "most": 4, "value": ["box", "sharpen", "emboss", "edge_detection"], "label": "kernels"},
    "kernel": {"kind": "numbers", "value": null, "label": "numbers of the kernels"},
    "filter": {"kind": "whole", "least": 0, "most": 3, "value": 0, "label": "filter"},
    "kernel_size": {"kind": "whole", "least": 3, "most": 9, "value": 3, "label": "kernel_size"},
    "strides": {"kind": "whole", "least": 1, "most": 16, "value": 1, "label": "strides"},
    "padding": {"kind": "choice", "options": ["valid", "same"], "value": "valid", "label": "padding"},
    "dilation_rate": {"kind": "whole", "least": 1, "most": 16, "value": 1, "label": "dilation_rate"},
    "activation": {"kind": "choice", "options": ["linear", "relu", "leaky_relu", "elu", "sigmoid", "tanh"], "value": "linear", "label": "activation"},
    "bias": {"kind": "number", "least": -4, "most": 4, "step": 0.1, "value": 0, "label": "bias"},
    "colour": {"kind": "choice", "options": ["grey", "each channel"], "value": "grey", "label": "colour"},
    "display": {"kind": "choice", "options": ["auto", "brightness", "signed"], "value": "auto", "label": "display"},
    "split": {"kind": "number", "least": 0, "most": 1, "step": 0.01, "value": 0.5, "label": "compare"},
    "pixel": {"kind": "pair", "apart": true, "least": 0, "most": 479, "value": [150, 200], "label": "look at"}
  },
  "activation": {
    "activation": {"kind": "choice", "options": ["linear", "relu", "leaky_relu", "relu6", "elu", "selu", "gelu", "silu", "mish", "softplus", "softsign", "sigmoid", "hard_sigmoid", "tanh", "exponential"], "value": "relu", "label": "activation"},
    "other": {"kind": "choice", "options": ["none", "linear", "relu", "leaky_relu", "relu6", "elu", "selu", "gelu", "silu", "mish", "softplus", "softsign", "sigmoid", "hard_sigmoid", "tanh", "exponential"], "value": "none", "label": "beside it"},
    "x": {"kind": "number", "shown": "slider", "least": -6, "most": 6, "step": 0.1, "value": 1, "label": "x"},
    "layers": {"kind": "whole", "least": 1, "most": 30, "value": 10, "label": "layers"}
  },
  "initializer": {
    "initializer": {"kind": "choice", "options": ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "random_normal", "random_uniform", "zeros", "ones"], "value": "glorot_uniform", "label": "initializer"},
    "activation": {"kind": "choice", "options": ["linear", "relu", "leaky_relu", "elu", "selu", "gelu", "sigmoid", "tanh"], "value": "relu", "label": "activation"},
    "layers": {"kind": "whole", "least": 1, "most": 20, "value": 10, "label": "layers"},
    "layer": {"kind": "whole", "least": 0, "most": 20, "value": 10, "label": "look at"},
    "channels": {"kind": "whole", "least": 1, "most": 32, "value": 16, "label": "channels"},
    "kernel_size": {"kind": "whole", "least": 1, "most": 5, "value": 3, "label": "kernel_size"},
    "bias": {"kind": "number", "least": -2, "most": 2, "step": 0.1, "value": 0, "label": "bias"},
    "seed": {"kind": "whole", "least": 1, "most": 999, "value": 1, "label": "throw"}
  },
  "weights": {
    "regularizer": {"kind": "choice", "options": ["none", "L1", "L2", "L1L2"], "value": "none", "label": "regularizer"},
    "strength": {"kind": "number", "shown": "slider", "least": 0, "most": 2, "step": 0.01, "value": 0.3, "label": "strength"},
    "constraint": {"kind": "choice", "options": ["none", "NonNeg", "MaxNorm", "UnitNorm", "MinMaxNorm"], "value": "none", "label": "constraint"},
    "max_value": {"kind": "number", "shown": "slider", "least": 0, "most": 3, "step": 0.1, "value": 1, "label": "max_value"},
    "min_value": {"kind": "number", "shown": "slider", "least": 0, "most": 3, "step": 0.1, "value": 0.5, "label": "min_value"},
    "rate": {"kind": "number", "shown": "slider", "least": 0, "most": 1, "step": 0.05, "value": 1, "label": "rate"},
    "learning_rate": {"kind": "number", "shown": "slider", "least": 0.01, "most": 1, "step": 0.01, "value": 0.1, "label": "learning_rate"},
    "steps": {"kind": "whole", "least": 1, "most": 200, "value": 60, "label": "steps"},
    "step": {"kind": "whole", "shown": "slider", "least": 0, "most": 200, "value": 60, "label": "step"},
    "w0": {"kind": "number", "least": -3, "most": 3, "step": 0.1, "value": -2, "label": "start w₀"},
    "w1": {"kind": "number", "least": -3, "most": 3, "step": 0.1, "value": 2.5, "label": "start w₁"},
    "a0": {"kind": "number", "least": -3, "most": 3, "step": 0.1, "value": 1.6, "label": "least w₀"},
    "a1": {"kind": "number", "least": -3, "most": 3, "step": 0.1, "value": 0.6, "label": "least w₁"},
    "stretch": {"kind": "number", "shown": "slider", "least": 1, "most": 8, "step": 0.5, "value": 2, "label": "stretch"},
    "turn": {"kind": "number", "shown": "slider", "least": 0, "most": 175, "step": 5, "value": 30, "label": "turn"}
  }
};
