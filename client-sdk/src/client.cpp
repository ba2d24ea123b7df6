#include "client-sdk/include/zonesync/client.hpp"

#include <utility>

#include "client-sdk/src/client_impl.hpp"

namespace zonesync::client {

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::create(Config config) {
  if (auto status = check_config(config); !status) return fail(status.error());
  auto url = parse_hub_url(config.hub_url);
  if (!url) return fail(url.error());
  auto store = open_zone_store(config.store_dir);
  if (!store) return fail(store.error());
  auto impl = std::make_unique<Impl>(std::move(config), std::move(*url), std::move(*store));
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

// -- before start ---------------------------------------------------------------------------------

void Client::set_validator(std::string type, Validator validator) {
  impl_->sink_.set_validator(std::move(type), std::move(validator));
}

void Client::on_cut(CutCallback callback) { impl_->application_.on_cut = std::move(callback); }

void Client::subscribe(std::vector<std::string> types, ChangeCallback callback) {
  impl_->application_.subscriptions.push_back({std::move(types), std::move(callback)});
}

void Client::on_status(StatusCallback callback) {
  impl_->application_.on_status = std::move(callback);
}

Status Client::start() {
  impl_->start();
  return {};
}

void Client::stop() { impl_->stop(); }

// -- reading --------------------------------------------------------------------------------------

Snapshot Client::snapshot() const { return impl_->snapshot(); }
ClientStatus Client::status() const { return impl_->status(); }

Status Client::wait_revision(Revision revision, Deadline deadline) {
  const auto result = impl_->call<Revision>([this, revision, deadline](auto done) {
    impl_->machine_.wait_revision(revision, deadline, std::move(done));
  });
  if (!result) return fail(result.error());
  return {};
}

Result<Revision> Client::sync_barrier(Deadline deadline) {
  return impl_->call<Revision>([this, deadline](auto done) {
    impl_->machine_.barrier(deadline, std::move(done));
  });
}

// -- publishing -----------------------------------------------------------------------------------

Result<PublishResult> Client::publish_batch(std::vector<PublishOp> ops) {
  std::vector<OutboxOp> own;
  own.reserve(ops.size());
  for (PublishOp& op : ops) own.push_back(OutboxOp{std::move(op.key), std::move(op.resource)});
  const auto result = impl_->call<OutboxResult>([this, &own](auto done) {
    impl_->machine_.publish(std::move(own), std::move(done));
  });
  if (!result) return fail(result.error());
  return PublishResult{result->revision, result->written, result->unchanged};
}

Result<PublishResult> Client::publish(Resource resource) {
  std::vector<PublishOp> ops(1);
  ops[0].key = resource.key;
  ops[0].resource = std::move(resource);
  return publish_batch(std::move(ops));
}

Result<PublishResult> Client::remove(ResourceKey key) {
  std::vector<PublishOp> ops(1);
  ops[0].key = std::move(key);
  return publish_batch(std::move(ops));
}

Status Client::publish_complete() {
  const auto result = impl_->call<bool>([this](auto done) {
    const Status status = impl_->machine_.publish_complete();
    if (status) return done(true);
    done(fail(status.error()));
  });
  if (!result) return fail(result.error());
  return {};
}

Result<std::vector<Resource>> Client::published() const {
  return impl_->call<std::vector<Resource>>(
      [this](auto done) { done(impl_->outbox_.present()); });
}

std::vector<Verdict> Client::publish_rejects() const {
  auto result = impl_->call<std::vector<Verdict>>(
      [this](auto done) { done(impl_->outbox_.rejects()); });
  return result ? std::move(*result) : std::vector<Verdict>();
}

std::shared_ptr<const TypeRegistry> Client::registry() const {
  auto result = impl_->call<std::shared_ptr<const TypeRegistry>>(
      [this](auto done) { done(impl_->outbox_.registry()); });
  if (result && *result) return std::move(*result);
  return std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
}

// -- operating ------------------------------------------------------------------------------------

void Client::approve_mass_delete() {
  impl_->post([this] { impl_->machine_.approve_mass_delete(); });
}

void Client::reconnect() {
  impl_->post([this] { impl_->machine_.reconnect_now(); });
}

}  // namespace zonesync::client
