package dev.holdfast.agent;

import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The device's HTTPS connection, and when it asks over it for updates: soon after the start, then as often as the
/// server says, a little out of step with its neighbours.
final class UpdateRounds {
    private final AgentSettings settings;
    private final Updater updater;
    private final EventLoop loop;
    private final Life life;
    private final Lifeline device;
    private @Nullable DeviceHttpClient https;
    private @Nullable UpdatePoller poller;

    UpdateRounds(AgentSettings settings, Updater updater, EventLoop loop, Life life, Lifeline device) {
        this.settings = settings;
        this.updater = updater;
        this.loop = loop;
        this.life = life;
        this.device = device;
    }

    /// @param attributes what the server may know of the device
    /// @return the connection, for what else is asked over it
    DeviceHttpClient open(SslContext context, Map<String, String> attributes) {
        close();
        DeviceHttpClient client = new DeviceHttpClient(
                loop,
                settings.route(),
                settings.https(),
                context,
                settings.pace().timeout(),
                settings.pace().idleHttps());
        https = client;
        poller = new UpdatePoller(settings, updater, client, attributes, new OfOneLife(life.number()));
        soon(life.jittered(settings.pace().firstPoll()));
        return client;
    }

    void close() {
        DeviceHttpClient open = https;
        https = null;
        poller = null;
        if (open != null) {
            open.close();
        }
    }

    /// Asks after the pause, unless the connection has been replaced by then.
    void soon(Duration pause) {
        UpdatePoller rounds = poller;
        if (rounds != null) {
            life.later(pause, () -> {
                if (poller == rounds) {
                    rounds.round();
                }
            });
        }
    }

    void exchange(DeviceHttpClient.Request request, DeviceHttpClient.Receiver receiver) {
        DeviceHttpClient open = https;
        if (open == null) {
            receiver.failed("the device is not online");
        } else {
            open.send(request, receiver);
        }
    }

    /// What comes of a round counts only in the life in which it began.
    private final class OfOneLife implements UpdatePoller.Rounds {
        private final int mine;

        OfOneLife(int mine) {
            this.mine = mine;
        }

        @Override
        public void again(Duration after) {
            if (life.is(mine)) {
                soon(life.jittered(after));
            }
        }

        @Override
        public void reboot(String why) {
            if (life.is(mine)) {
                device.reboot(why);
            }
        }

        @Override
        public void noted(String event, String detail) {
            device.noted(event, detail);
        }

        @Override
        public void storeFailed(IOException failure) {
            if (life.is(mine)) {
                device.storeFailed(failure);
            }
        }
    }
}
