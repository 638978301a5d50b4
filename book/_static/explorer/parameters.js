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
    "cell": {"kind": "whole", "least": 0, "most": 39, "value": 5, "label": "cell"}
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
  }
};
