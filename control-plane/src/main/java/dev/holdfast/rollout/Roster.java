package dev.holdfast.rollout;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Recorded;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/// What this node holds in memory of active rollouts, so that a poll that has nothing to fetch costs no query.
///
/// It is a cache that follows the journal's tail, never an authority: a grant that it suggests wrongly fails
/// in the
/// database, and the device is read anew.
final class Roster {
    private static final int PAGE = 10_000;

    private final Database database;
    private final Map<Long, Active> active = new ConcurrentHashMap<>();
    private final Map<DeviceRef, Cancel> cancels = new ConcurrentHashMap<>();
    private volatile Map<String, List<MaintenanceWindow>> windows = Map.of();

    Roster(Database database) {
        this.database = database;
    }

    record Member(int batch, MemberState state, long action) {}

    record Cancel(long action, long rollout) {}

    /// One active rollout.
    static final class Active {
        volatile RolloutRow row;
        volatile Map<DeviceId, Member> members = new ConcurrentHashMap<>();

        Active(RolloutRow row) {
            this.row = row;
        }

        Optional<Member> member(DeviceRef device) {
            return row.environment().equals(device.environment())
                    ? Optional.ofNullable(members.get(device.id()))
                    : Optional.empty();
        }
    }

    /// Ways back first: a cure goes before anything new.
    List<Active> of(DeviceRef device) {
        if (active.isEmpty()) {
            return List.of();
        }
        Stream<Active> mine =
                active.values().stream().filter(a -> a.member(device).isPresent());
        return mine.sorted(Comparator.<Active, RolloutRow.Kind>comparing(a -> a.row.kind(), Comparator.reverseOrder())
                        .thenComparingLong(a -> a.row.id()))
                .toList();
    }

    Optional<Cancel> cancel(DeviceRef device) {
        return Optional.ofNullable(cancels.get(device));
    }

    List<MaintenanceWindow> windows(Environment environment, String site) {
        return windows.getOrDefault(environment + "/" + site, List.of());
    }

    /// Reads everything; called once after the subscription, before the node serves.
    void load() {
        loadWindows();
        database.read(RolloutStore::active).forEach(row -> reload(row.id()));
        database.read(MemberStore::cancelsAsked)
                .forEach(m -> cancels.put(m.device(), new Cancel(m.action(), m.rollout())));
    }

    private void loadWindows() {
        windows = database.read(RolloutStore::windows);
    }

    /// Reads one rollout and its members.
    void reload(long id) {
        Optional<RolloutRow> row = database.read(sql -> RolloutStore.find(sql, id));
        if (row.isEmpty() || row.get().state().over()) {
            active.remove(id);
            readCancels(id);
            return;
        }
        Map<DeviceId, Member> members = new ConcurrentHashMap<>();
        String after = "";
        List<MemberRow> page;
        do {
            String from = after;
            page = database.read(sql -> MemberStore.all(sql, id, from, PAGE));
            page.forEach(m -> members.put(m.device().id(), new Member(m.batch(), m.state(), m.action())));
            after = page.isEmpty() ? after : page.getLast().device().id().value();
        } while (page.size() == PAGE);
        Active entry = active.computeIfAbsent(id, _ -> new Active(row.get()));
        entry.members = members;
        entry.row = row.get();
    }

    private void readCancels(long id) {
        database.read(MemberStore::cancelsAsked).stream()
                .filter(m -> m.rollout() == id)
                .forEach(m -> cancels.put(m.device(), new Cancel(m.action(), m.rollout())));
    }

    private void reloadRow(long id) {
        Optional<RolloutRow> row = database.read(sql -> RolloutStore.find(sql, id));
        Active known = active.get(id);
        if (row.isEmpty() || row.get().state().over()) {
            active.remove(id);
        } else if (known != null) {
            known.row = row.get();
        }
    }

    /// Reads one device anew, after the database contradicted what is held here.
    void refresh(long rollout, DeviceRef device) {
        Active known = active.get(rollout);
        if (known != null) {
            database.read(sql -> MemberStore.find(sql, rollout, device)).ifPresent(m -> put(known, m));
            reloadRow(rollout);
        }
    }

    private static void put(Active known, MemberRow member) {
        known.members.put(member.device().id(), new Member(member.batch(), member.state(), member.action()));
    }

    /// Called for each entry of the journal.
    void follow(Recorded entry) {
        JsonNode json = entry.json();
        String kind = json.path("kind").asText();
        if (!kind.startsWith("rollout.")) {
            return;
        }
        JsonNode body = json.path("body");
        long rollout = body.path("rollout").asLong();
        if (kind.startsWith("rollout.device-")) {
            DeviceRef device = new DeviceRef(
                    new Environment(json.path("environment").asText()),
                    new DeviceId(json.path("subject").asText().substring("device:".length())));
            followDevice(kind, rollout, device, body);
            return;
        }
        switch (kind) {
            case "rollout.window-set" -> loadWindows();
            case "rollout.switched-off", "rollout.switched-on" ->
                List.copyOf(active.keySet()).forEach(this::reloadRow);
            case "rollout.advanced", "rollout.paused", "rollout.finished" -> reloadRow(rollout);
            default -> {
                reload(rollout);
                long wayBack = body.path("wayBack").asLong();
                if (wayBack > 0) {
                    reload(wayBack);
                }
            }
        }
    }

    private void followDevice(String kind, long rollout, DeviceRef device, JsonNode body) {
        if (kind.equals("rollout.device-cancelled") || kind.equals("rollout.device-cancel-refused")) {
            cancels.remove(device);
            return;
        }
        Active known = active.get(rollout);
        if (known != null) {
            known.members.put(
                    device.id(),
                    new Member(
                            body.path("batch").asInt(),
                            MemberState.of(body.path("state").asText()),
                            body.path("action").asLong()));
        }
    }
}
