package dev.holdfast.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Keeps the processors from going to sleep between two short pieces of work.
///
/// On a virtual machine a processor that halts takes some 50 us to wake up, so what is asked one at a time measures
/// the host's idling: twice as much or half, whatever else happens to keep it awake. The loops here run under
/// `SCHED_IDLE`, which anything else displaces at once.
final class Awake implements AutoCloseable {
    private final List<Process> loops = new ArrayList<>();

    private Awake() {}

    /// @throws IOException when `chrt` (util-linux) can't be started
    static Awake begin() throws IOException {
        Awake awake = new Awake();
        for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
            // They end by themselves, should nobody be left to end them.
            awake.loops.add(
                    new ProcessBuilder("chrt", "--idle", "0", "timeout", "120", "sh", "-c", "while :; do :; done")
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start());
        }
        return awake;
    }

    @Override
    public void close() {
        loops.forEach(Process::destroy);
    }
}
