package dev.holdfast.telemetry;

/// What is told to whoever handed something over to be kept. Called once, on the writer's thread: be quick.
public interface Acknowledgement {
    /// It is durable.
    void committed();

    /// It was not kept and won't be; sending it again may help.
    void failed(RuntimeException why);

    /// For callers that need no answer.
    Acknowledgement NONE = new Acknowledgement() {
        @Override
        public void committed() {}

        @Override
        public void failed(RuntimeException why) {}
    };
}
