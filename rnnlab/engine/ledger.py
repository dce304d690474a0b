"""Receives the messages about runs: stores results and shows progress."""

from collections.abc import Sequence
from typing import Any

from rnnlab.config.sweep import Run
from rnnlab.engine.live import LiveFile
from rnnlab.engine.messages import Ended, Message, Reached, Saved, Started
from rnnlab.engine.programs import operations_of
from rnnlab.engine.progress import Progress
from rnnlab.results.store import Store


class Ledger:
    """Stores each run once, when it ends.

    Attributes:
        open: the runs that have not ended, by id.
    """

    def __init__(
        self, store: Store, runs: Sequence[Run], labels: dict[str, str], progress: Progress
    ) -> None:
        self.store, self.progress, self.labels = store, progress, labels
        self.open = {run.id: run for run in runs}
        self.live = LiveFile(store.folder, progress)
        self.environment: dict[str, Any] | None = None

    def take(self, message: Message) -> None:
        """Act on a message; one about a run that has ended is ignored.

        Raises:
            UserError: the folder cannot be written.
        """
        run = self.open.get(message.run)
        if run is None:
            return
        match message:
            case Started(worker=worker):
                self.progress.run_started(
                    run.id,
                    f"{self.labels[run.id]}, seed {run.seed}",
                    run.settings.training.steps,
                    operations_of(run),
                    worker,
                    resumed=self.store.checkpoints.path(run.id).exists(),
                )
            case Reached(step=step, loss=loss):
                self.progress.step(run.id, step, loss)
            case Saved(checkpoint=checkpoint):
                self.store.checkpoints.write(run.id, checkpoint)
            case Ended(head=head, files=files):
                self.store.write_run(run.id, head, files)
                del self.open[run.id]
                self._say_where(head["environment"])
                self.progress.run_ended(run.id, head["status"], _detail(head))
        self.live.update()

    @property
    def kept(self) -> str:
        """A sentence that says how many runs are stored."""
        progress = self.progress
        return f"{progress.done} of {progress.total} runs are stored in {self.store.folder}"

    def _say_where(self, environment: dict[str, Any]) -> None:
        if self.environment is None and environment:
            self.environment = environment
            self.store.write_environment(environment)


def _detail(head: dict[str, Any]) -> str:
    if head["status"] == "failed":
        return str(head["error"])
    summary = head["summary"]
    if head["status"] == "diverged":
        return f"at step {summary['last_step']}"
    if not summary["last_step"]:
        return ""
    return f"evaluation loss {summary['final_loss']:.3g}"
