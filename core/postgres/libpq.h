// The functions of libpq that walrig calls, looked up by name, so that libpq is mapped only by commands that talk to
// a server. For core/postgres/connection.cc alone.
//
// THREADS: Libpq() from any thread.
#pragma once

#include <libpq-fe.h>

#include "core/base/lazy_library.h"
#include "walrig/result.h"

namespace walrig {

struct LibpqApi {
  decltype(PQconnectStartParams)* connect_start = nullptr;
  decltype(PQconnectPoll)* connect_poll = nullptr;
  decltype(PQstatus)* status = nullptr;
  decltype(PQsocket)* socket = nullptr;
  decltype(PQerrorMessage)* error_message = nullptr;
  decltype(PQfinish)* finish = nullptr;
  decltype(PQserverVersion)* server_version = nullptr;
  decltype(PQsetNoticeReceiver)* set_notice_receiver = nullptr;
  decltype(PQsetnonblocking)* set_nonblocking = nullptr;
  decltype(PQsendQueryParams)* send_query = nullptr;
  decltype(PQsetSingleRowMode)* single_row = nullptr;
  decltype(PQflush)* flush = nullptr;
  decltype(PQconsumeInput)* consume_input = nullptr;
  decltype(PQisBusy)* is_busy = nullptr;
  decltype(PQgetResult)* get_result = nullptr;
  decltype(PQresultStatus)* result_status = nullptr;
  decltype(PQresultErrorField)* error_field = nullptr;
  decltype(PQresultErrorMessage)* result_error = nullptr;
  decltype(PQntuples)* row_count = nullptr;
  decltype(PQnfields)* column_count = nullptr;
  decltype(PQgetisnull)* is_null = nullptr;
  decltype(PQgetvalue)* value = nullptr;
  decltype(PQgetlength)* length = nullptr;
  decltype(PQclear)* clear = nullptr;
  decltype(PQgetCancel)* get_cancel = nullptr;
  decltype(PQcancel)* cancel = nullptr;
  decltype(PQfreeCancel)* free_cancel = nullptr;
};

// FAILS WITH: kNotSupported when libpq is not installed; the hint names the package.
Result<LibpqApi> BindLibpq(LazyLibrary& library);

}  // namespace walrig
