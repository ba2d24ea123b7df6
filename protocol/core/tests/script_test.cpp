// The usual conversations, each with a failure at every single message (testing/script.hpp).
#include <gtest/gtest.h>

#include "protocol/core/testing/script.hpp"
#include "protocol/core/testing/scripted_views.hpp"

namespace zonesync::testing {
namespace {

constexpr std::size_t kSmallMessage = 1u << 10;

Resource retry(const std::string& name) {
  Resource resource = timeout(name);
  resource.key.type = "MeshRetry";
  return resource;
}

void write_timeouts(SessionPair& pair, int first, int last, const std::string& text = "1s") {
  for (int i = first; i < last; ++i) {
    pair.hub.write({timeout("t" + std::to_string(i), text), timeout("u" + std::to_string(i))});
  }
}

void use_small_messages(SessionPair& pair) {
  for (Peer* peer : {&pair.hub, &pair.zone}) {
    peer->message_target_bytes = kSmallMessage;
    peer->cut_target_bytes = kSmallMessage;
  }
}

Step step(std::string name, std::function<void(SessionPair&)> act) {
  return Step{std::move(name), std::move(act)};
}

void expect_always_the_same(const Script& script, std::size_t at_least_messages) {
  const ScriptEnding quiet = play(script, ScriptFault::none, 0);
  EXPECT_GE(quiet.messages, at_least_messages) << "the script says too little";
  EXPECT_FALSE(quiet.zone.empty() && quiet.hub.empty());
  std::size_t runs = 0;
  std::size_t shown = 0;
  for (const std::string& wrong : play_with_faults(script, &runs)) {
    if (++shown <= 10) ADD_FAILURE() << wrong;
  }
  EXPECT_LE(shown, 10u) << shown << " in all";
  ::testing::Test::RecordProperty("runs", std::to_string(runs));
}

// FLOW-14: all or nothing of every cut.
TEST(Scripts, FirstSync) {
  expect_always_the_same({"first sync",
                          [](SessionPair& pair) {
                            use_small_messages(pair);
                            write_timeouts(pair, 0, 20);
                          },
                          {step("more", [](SessionPair& pair) { write_timeouts(pair, 20, 25); }),
                           step("removed",
                                [](SessionPair& pair) {
                                  pair.hub.write({}, {timeout("t3").key, timeout("u9").key});
                                })}},
                         8);
}

// FLOW-02
TEST(Scripts, Resume) {
  expect_always_the_same(
      {"resume",
       [](SessionPair& pair) {
         use_small_messages(pair);
         write_timeouts(pair, 0, 5);
       },
       {step("missed",
             [](SessionPair& pair) {
               pair.cut();
               write_timeouts(pair, 3, 15, "2s");
             }),
        step("nothing missed", [](SessionPair& pair) { pair.cut(); }),
        step("tailed", [](SessionPair& pair) { write_timeouts(pair, 15, 18); })}},
      8);
}

// STG-02, STG-03: receivers that keep what they staged.
TEST(Scripts, ResumeOfAnInterruptedCut) {
  expect_always_the_same(
      {"resume of an interrupted cut",
       [](SessionPair& pair) {
         use_small_messages(pair);
         pair.zone.sink.keeps_staged = true;
         pair.hub.features.zstd = false;
         write_timeouts(pair, 0, 30);
       },
       {step("a long catch-up",
             [](SessionPair& pair) {
               pair.cut();
               write_timeouts(pair, 0, 30, "2s");
               pair.hub.log.trim(pair.hub.source.head());
               pair.hub.source.refresh();
             }),
        step("tailed", [](SessionPair& pair) { write_timeouts(pair, 0, 3, "3s"); })}},
      8);
}

// REP-05, REP-06: a cursor of another log, content that mostly fits.
TEST(Scripts, Repair) {
  expect_always_the_same(
      {"repair",
       [](SessionPair& pair) {
         EXPECT_TRUE(pair.hub.log.declare_complete());
         pair.hub.source.refresh();
         write_timeouts(pair, 0, 20);
       },
       {step("of another log",
             [](SessionPair& pair) {
               pair.cut();
               pair.zone.sink.durable_cursor->era.id.bytes[0] ^= 0xff;
               write_timeouts(pair, 4, 6, "2s");
               pair.hub.write({}, {timeout("t11").key});
             }),
        step("tailed", [](SessionPair& pair) { write_timeouts(pair, 30, 32); })}},
      8);
}

// VIEW-01, VIEW-02, VIEW-03
TEST(Scripts, ViewChange) {
  std::shared_ptr<ScriptedViews> views;
  expect_always_the_same(
      {"view change",
       [&views](SessionPair& pair) {
         use_small_messages(pair);
         views = std::make_shared<ScriptedViews>(pair.registry);
         pair.hub.views = views.get();
         for (int i = 0; i < 10; ++i) {
           pair.hub.write({timeout("t" + std::to_string(i)), retry("r" + std::to_string(i))});
         }
       },
       {step("retries leave", [&views](SessionPair&) { views->set({"MeshTimeout"}); }),
        step("written meanwhile", [](SessionPair& pair) { pair.hub.write({retry("late")}); }),
        step("retries enter, timeouts leave",
             [&views](SessionPair&) { views->set({"MeshRetry"}); }),
        step("all of it", [&views](SessionPair&) { views->set({}); })}},
      8);
}

// V1-02, V1-07
TEST(Scripts, ListsAndASwitch) {
  expect_always_the_same(
      {"lists",
       [](SessionPair& pair) {
         use_small_messages(pair);
         pair.hub.mode = pair.zone.mode = SyncMode::v1;
         for (int i = 0; i < 10; ++i) {
           pair.hub.write({timeout("t" + std::to_string(i)), retry("r" + std::to_string(i))});
         }
       },
       {step("removed", [](SessionPair& pair) { pair.hub.write({}, {timeout("t2").key}); }),
        step("delta",
             [](SessionPair& pair) {
               pair.cut();
               pair.hub.mode = pair.zone.mode = SyncMode::delta;
               write_timeouts(pair, 0, 3, "2s");
             }),
        step("v1 again",
             [](SessionPair& pair) {
               pair.cut();
               pair.hub.mode = pair.zone.mode = SyncMode::v1;
               pair.hub.write({retry("new")}, {retry("r1").key});
             })}},
      8);
}

// FLOW-14 on the up flow, both directions at once.
TEST(Scripts, BothDirections) {
  expect_always_the_same(
      {"both directions",
       [](SessionPair& pair) {
         use_small_messages(pair);
         write_timeouts(pair, 0, 6);
         for (int i = 0; i < 12; ++i) pair.zone.write({dataplane("d" + std::to_string(i))});
       },
       {step("changes",
             [](SessionPair& pair) {
               pair.zone.write({dataplane("d3", "4.3.2.1")}, {dataplane("d5").key});
               write_timeouts(pair, 2, 4, "2s");
             }),
        step("missed by both",
             [](SessionPair& pair) {
               pair.cut();
               pair.zone.write({dataplane("new")}, {dataplane("d0").key});
               pair.hub.write({}, {timeout("t0").key});
             })}},
      8);
}

// FLOW-24, FLOW-25, FLOW-26: whatever is lost on the way, the hub's list ends right.
TEST(Scripts, Verdicts) {
  expect_always_the_same(
      {"verdicts",
       [](SessionPair& pair) {
         pair.zone.sink.refuses = [](const Change& change) {
           return change.payload.view().find("poison") != ByteView::npos;
         };
         pair.hub.write({timeout("a", "poison"), timeout("b"), timeout("c", "poison")});
       },
       {step("fixed", [](SessionPair& pair) { pair.hub.write({timeout("a", "2s")}); }),
        step("worse", [](SessionPair& pair) { pair.hub.write({timeout("b", "poison")}); }),
        step("gone", [](SessionPair& pair) { pair.hub.write({}, {timeout("c").key}); })}},
      8);
}

// FLOW-07: a series of Parts that is interrupted anywhere.
TEST(Scripts, Parts) {
  expect_always_the_same(
      {"parts",
       [](SessionPair& pair) {
         pair.hub.features.zstd = pair.zone.features.zstd = false;
         pair.hub.write({timeout("big", std::string(700'000, 'x')), timeout("small")});
       },
       {step("both ways",
             [](SessionPair& pair) {
               pair.hub.write({timeout("big", std::string(500'000, 'y'))});
               pair.zone.write({dataplane("large", std::string(450'000, 'z'))});
             }),
        step("removed", [](SessionPair& pair) { pair.hub.write({}, {timeout("big").key}); })}},
      8);
}

// ZIP-13, ZIP-16: patches whose base may be gone with a lost cut.
TEST(Scripts, Patches) {
  const auto text = [](int version) {
    return std::string(3'000, 'a') + std::to_string(version) + std::string(3'000, 'b');
  };
  expect_always_the_same({"patches",
                          [text](SessionPair& pair) {
                            pair.hub.write({timeout("p", text(0)), timeout("q", text(0))});
                          },
                          {step("changed",
                                [text](SessionPair& pair) {
                                  for (int i = 1; i < 6; ++i) {
                                    pair.hub.write({timeout("p", text(i))});
                                  }
                                }),
                           step("missed",
                                [text](SessionPair& pair) {
                                  pair.cut();
                                  pair.hub.write({timeout("p", text(7)), timeout("q", text(1))});
                                  pair.hub.write({timeout("q", text(2))});
                                })}},
                         8);
}

// A runner that would not notice is no test: a receiver that says more than it holds is found.
TEST(Scripts, AReceiverThatForgetsIsFound) {
  Script script{"forgets",
                [](SessionPair& pair) {
                  write_timeouts(pair, 0, 5);
                  pair.zone.sink.on_applied = [&pair] {
                    if (pair.zone.sink.items.size() > 20) {
                      pair.zone.sink.items.erase(pair.zone.sink.items.begin());
                    }
                  };
                },
                {step("more", [](SessionPair& pair) { write_timeouts(pair, 5, 12); })}};
  const ScriptEnding ending = play(script, ScriptFault::none, 0);
  EXPECT_TRUE(!ending.trouble.empty() || !ending.converged);
}

}  // namespace
}  // namespace zonesync::testing
