// SPDX-License-Identifier: MIT-0
// ProxyConnection: one client of the fault proxy, from accept to close.
//
// THREADS: one.
#pragma once

#include "sdk/testing/fault_proxy.h"
#include "sdk/testing/http_message.h"
#include "sdk/testing/socket.h"

namespace walrig::faults {

class ProxyConnection {
 public:
  ProxyConnection(FaultProxy& proxy, Socket client) : proxy_(proxy), client_(std::move(client)) {}
  void RunHttp();
  void RunTcp();

 private:
  // How a step of a request went on.
  enum class Next { kGoOn, kEnd };

  Next OneRequest();
  Next Obey(const HttpHead& request, const RequestLine& line);
  Next Answer(const HttpHead& request);
  Next Forward(const HttpHead& request, const RequestLine& line);
  Next PassAnswer(HttpHead response, const RequestLine& line);
  Next PassBody(BodyReader& body, const BodyPlan& out, uint64_t length_known);
  Next Stall();
  // Of plain TCP. `side` 0 is what the client says, 1 what the server says.
  Next Relay(int side);
  bool HitsSide(int side) const;
  bool SendRequest(const HttpHead& request, const BodyPlan& plan);
  Result<HttpHead> ReadAnswerHead();
  void Redeliver(const HttpHead& request, const BodyPlan& plan);
  bool DrainRequest(const HttpHead& request);
  bool ConnectUpstream();

  FaultProxy& proxy_;
  Socket client_, server_;
  FaultRule rule_;
  Exchange exchange_;
  std::string sent_body_;  // kept for kDuplicate only
  bool ended_[2] = {false, false};  // of plain TCP: which sides have said all
  uint64_t began_ns_ = 0;
};

}  // namespace walrig::faults
