package dev.holdfast.agent;

import java.io.IOException;

/// What the parts of an agent may do to the device they live in; on its event loop.
interface Lifeline {
    void reboot(String why);

    void noted(String event, String detail);

    /// The store is gone: the device stops as if its power were cut.
    void storeFailed(IOException failure);
}
