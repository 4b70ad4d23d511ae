"""Every parser of bytes from outside, bent: a value in its one spelling, or a known Problem.

`FUZZ_EXAMPLES=5000 pytest tests/fuzz tests/verifier` looks longer than the normal run does;
`make fuzz` lets coverage find the inputs.
"""

import os

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
"""How many inputs each parser gets in one run."""
