package dev.holdfast.agent;

/// One of the two places a firmware image can live in: while one runs, the other can be written.
public enum Slot {
    A,
    B;

    public Slot other() {
        return this == A ? B : A;
    }
}
