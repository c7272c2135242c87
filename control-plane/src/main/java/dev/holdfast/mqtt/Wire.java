package dev.holdfast.mqtt;

import io.netty.handler.codec.mqtt.MqttMessage;
import java.time.Duration;

/// The socket of one connection, as its state machine sees it. Used on the connection's event loop, but for
/// [#later].
interface Wire {
    void send(MqttMessage message);

    /// Sends what was given to [#send], then closes.
    void close();

    /// No more messages are handed over until [#readOn]; the peer's window fills.
    void stopReading();

    void readOn();

    /// Runs on the connection's event loop; may be called from any thread.
    void later(Runnable task);

    void after(Duration delay, Runnable task);

    /// `address:port`
    String remoteAddress();
}
