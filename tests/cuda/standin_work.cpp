// Streams, events, kernels and graphs.
#include "standin_state.hpp"

using namespace standin;

EXPORT Result cuStreamCreate(void** stream, unsigned) {
    RETURN_UNLESS_USABLE();
    *stream = new Stream(current);
    count("streams");
    return success;
}

EXPORT Result cuStreamDestroy(void* stream) {
    RETURN_UNLESS_USABLE();
    delete static_cast<Stream*>(stream);
    count("streams", -1);
    return success;
}

EXPORT Result cuStreamSynchronize(void* stream) {
    RETURN_UNLESS_USABLE();
    static_cast<Stream*>(stream)->synchronize();
    return state_of_context();
}

EXPORT Result cuEventCreate(void** event, unsigned) {
    RETURN_UNLESS_USABLE();
    *event = new Event;
    count("events");
    return success;
}

EXPORT Result cuEventDestroy(void* event) {
    RETURN_UNLESS_USABLE();
    delete static_cast<Event*>(event);
    count("events", -1);
    return success;
}

EXPORT Result cuEventRecord(void* handle, void* stream) {
    RETURN_UNLESS_USABLE();
    auto* event = static_cast<Event*>(handle);
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(event->mutex);
        number = ++event->n_recorded;
    }
    static_cast<Stream*>(stream)->queue([event, number] {
        const std::lock_guard lock(event->mutex);
        event->n_done = std::max(event->n_done, number);
        event->time_ms = now_ms();
        event->changed.notify_all();
    });
    return success;
}

EXPORT Result cuStreamWaitEvent(void* stream, void* handle, unsigned) {
    RETURN_UNLESS_USABLE();
    auto* event = static_cast<Event*>(handle);
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(event->mutex);
        number = event->n_recorded;
    }
    static_cast<Stream*>(stream)->queue([event, number] { event->wait_for(number); });
    return success;
}

EXPORT Result cuEventSynchronize(void* handle) {
    RETURN_UNLESS_USABLE();
    auto* event = static_cast<Event*>(handle);
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(event->mutex);
        number = event->n_recorded;
    }
    event->wait_for(number);
    return state_of_context();
}

EXPORT Result cuEventElapsedTime(float* ms, void* start, void* end) {
    RETURN_UNLESS_USABLE();
    *ms = static_cast<float>(static_cast<Event*>(end)->time_ms - static_cast<Event*>(start)->time_ms);
    return success;
}

EXPORT Result cuModuleLoadData(void** module, const void* image) {
    RETURN_UNLESS_USABLE();
    *module = new std::string(static_cast<const char*>(image));
    return success;
}

EXPORT Result cuModuleUnload(void* module) {
    delete static_cast<std::string*>(module);
    return success;
}

// Only what the code names as an entry, and what the test lent a function of the host for.
EXPORT Result cuModuleGetFunction(void** function, void* module, const char* name) {
    RETURN_UNLESS_USABLE();
    const std::string& code = *static_cast<std::string*>(module);
    const std::lock_guard lock(state_mutex);
    const auto found = kernels.find(name);
    if (found == kernels.end() || code.find(".entry " + found->first) == std::string::npos) {
        return not_found;
    }
    *function = &found->second;
    return success;
}

EXPORT Result cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                             unsigned block_x, unsigned block_y, unsigned block_z, unsigned, void* stream,
                             void** arguments, void**) {
    RETURN_UNLESS_USABLE();
    if (grid_x * grid_y * grid_z * block_x * block_y * block_z == 0) {
        return invalid_value;
    }
    const HostKernel kernel = *static_cast<HostKernel*>(function);
    std::vector<Argument> values; // copied when the driver is called
    for (std::size_t i = 0; i < kernel.argument_sizes.size(); ++i) {
        const auto* bytes = static_cast<const char*>(arguments[i]);
        values.emplace_back(bytes, bytes + kernel.argument_sizes[i]);
    }
    count("launches");
    static_cast<Stream*>(stream)->queue(unless_lost(current, [kernel, grid_x, grid_y, block_x, values] {
        std::vector<Argument> copies = values;
        std::vector<void*> pointers;
        for (Argument& value : copies) {
            pointers.push_back(value.data());
        }
        kernel.run(grid_x, grid_y, block_x, pointers.data());
    }));
    return success;
}

EXPORT Result cuLaunchHostFunc(void* stream, void (*function)(void*), void* data) {
    RETURN_UNLESS_USABLE();
    static_cast<Stream*>(stream)->queue(unless_lost(current, [function, data] { function(data); }));
    return success;
}

EXPORT Result cuStreamBeginCapture(void* stream, int) {
    RETURN_UNLESS_USABLE();
    static_cast<Stream*>(stream)->recording_ = std::make_unique<std::vector<Task>>();
    return success;
}

EXPORT Result cuStreamEndCapture(void* stream, void** graph) {
    auto* recorded = static_cast<Stream*>(stream)->recording_.release();
    *graph = recorded;
    return recorded == nullptr ? capture_invalid : success;
}

EXPORT Result cuGraphInstantiateWithFlags(void** executable, void* graph, std::uint64_t) {
    RETURN_UNLESS_USABLE();
    *executable = new std::vector<Task>(*static_cast<std::vector<Task>*>(graph));
    count("graphs");
    return success;
}

EXPORT Result cuGraphInstantiate(void** executable, void* graph, std::uint64_t flags) {
    return cuGraphInstantiateWithFlags(executable, graph, flags);
}

EXPORT Result cuGraphDestroy(void* graph) {
    delete static_cast<std::vector<Task>*>(graph);
    return success;
}

EXPORT Result cuGraphExecDestroy(void* executable) {
    RETURN_UNLESS_USABLE();
    delete static_cast<std::vector<Task>*>(executable);
    count("graphs", -1);
    return success;
}

EXPORT Result cuGraphLaunch(void* executable, void* stream) {
    RETURN_UNLESS_USABLE();
    count("graph_launches");
    for (const Task& task : *static_cast<std::vector<Task>*>(executable)) {
        static_cast<Stream*>(stream)->queue(task);
    }
    return success;
}
