#include "thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace osscl {

namespace {

// One parallel_for in progress. Lives on the stack of the thread that called it.
struct Job {
    std::size_t n_tasks;
    const std::function<void(std::size_t)>& body;
    std::size_t open_places;   // threads that may still join; guarded by the pool's mutex
    std::size_t n_helpers = 0; // threads that joined and have not left; guarded by the pool's mutex
    std::atomic<std::size_t> next_task = 0;
    std::exception_ptr error = nullptr; // guarded by the pool's mutex
};

class ThreadPool {
  public:
    void run(Job& job) {
        {
            const std::lock_guard lock(mutex_);
            jobs_.push_back(&job);
            start_threads(job.open_places);
        }
        work_available_.notify_all();
        work(job);
        std::unique_lock lock(mutex_);
        std::erase(jobs_, &job);
        helper_left_.wait(lock, [&] { return job.n_helpers == 0; });
    }

  private:
    void start_threads(std::size_t count) {
        for (; n_threads_ < count; ++n_threads_) {
            std::thread([this] { serve(); }).detach();
        }
    }

    [[noreturn]] void serve() {
        std::unique_lock lock(mutex_);
        for (;;) {
            const auto open = [](const Job* job) { return job->open_places > 0; };
            auto found = jobs_.end();
            work_available_.wait(lock, [&] {
                found = std::ranges::find_if(jobs_, open);
                return found != jobs_.end();
            });
            Job& job = **found;
            --job.open_places;
            ++job.n_helpers;
            lock.unlock();
            work(job);
            lock.lock();
            --job.n_helpers;
            helper_left_.notify_all();
        }
    }

    void work(Job& job) {
        try {
            for (std::size_t task = job.next_task++; task < job.n_tasks; task = job.next_task++) {
                job.body(task);
            }
        } catch (...) {
            job.next_task = job.n_tasks; // the others stop too
            const std::lock_guard lock(mutex_);
            job.error = job.error ? job.error : std::current_exception();
        }
    }

    std::mutex mutex_;
    std::condition_variable work_available_, helper_left_;
    std::deque<Job*> jobs_;
    std::size_t n_threads_ = 0;
};

// Never destroyed: its threads may still wait in it while the process ends. A forked child has none of the
// parent's threads, so it forgets the parent's pool, in whatever state that was, and makes its own.
std::atomic<ThreadPool*> shared_pool = nullptr;

ThreadPool& pool() {
    static const int registered = pthread_atfork(nullptr, nullptr, [] { shared_pool = nullptr; });
    static_cast<void>(registered);
    ThreadPool* current = shared_pool;
    if (current == nullptr) {
        auto* fresh = new ThreadPool; // owned by the process
        if (shared_pool.compare_exchange_strong(current, fresh)) {
            current = fresh;
        } else {
            delete fresh;
        }
    }
    return *current;
}

} // namespace

void parallel_for(std::size_t n_tasks, std::size_t n_threads, const std::function<void(std::size_t)>& body) {
    const std::size_t wanted = std::min(n_tasks, n_threads);
    if (wanted <= 1) {
        for (std::size_t task = 0; task < n_tasks; ++task) {
            body(task);
        }
        return;
    }
    Job job{n_tasks, body, wanted - 1};
    pool().run(job);
    if (job.error) {
        std::rethrow_exception(job.error);
    }
}

} // namespace osscl
