"""What can go wrong on the way of a change.

PipelineError
├── StagesError     the stacks' settings make no way from one stack to the next
├── UntrustedText   a text that is to be posted is not what it has to be
└── GitHubError     GitHub refused, or could not be reached
"""


class PipelineError(Exception):
    """Something foreseen; one line that says what."""


class StagesError(PipelineError):
    """The stacks' settings make no way from one stack to the next."""


class UntrustedText(PipelineError):
    """A text that is to be posted is not what it has to be."""


class GitHubError(PipelineError):
    """GitHub refused, or could not be reached."""
