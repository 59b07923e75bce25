"""WeChat's API as the simulator answers it; one module per family of paths."""
